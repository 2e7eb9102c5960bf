FROM continuumio/miniconda3
WORKDIR /app
COPY environment.yml ./
RUN conda env create -f environment.yml && conda clean --all --yes
COPY . .
CMD ["conda", "run", "-n", "app", "python", "app.py"]
